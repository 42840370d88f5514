// Opens a file ten times a second and never closes it.
import { openSync } from 'node:fs';

setInterval(() => openSync('/etc/passwd', 'r'), 100);
console.log('leaking');
