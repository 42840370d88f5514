import { hasCapability } from '../procfs/effective-capabilities.ts';
import { hostFiles } from '../procfs/host-files.ts';

const host = hostFiles();

/** Whether this process has CAP_SYS_ADMIN now. */
export const mayAdminister = (): boolean => hasCapability(host, 'sys_admin') === true;
