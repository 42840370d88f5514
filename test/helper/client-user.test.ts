import { expect, test } from 'vitest';
import { clientUser } from '../../src/helper/client-user.ts';
import { serviceUnit } from '../../src/helper/units.ts';

test.each([
  [{ SUDO_USER: 'alice' }, 'alice'],
  [{ TRACEWRIGHT_CONNECTION: '3-4711-1000' }, 'user 1000'],
  // Later versions of systemd tell the socket and the descriptor of the process, too.
  [{ TRACEWRIGHT_CONNECTION: '3-77-4711_20981-1000' }, 'user 1000'],
  [{ TRACEWRIGHT_CONNECTION: '3-unknown' }, 'a user of the socket'],
  [{}, 'a user of the socket'],
])('%j is told as %s', (environment, user) => {
  expect(clientUser(environment)).toBe(user);
});

test('the unit hands on the name of its instance', () => {
  const unit = serviceUnit({ node: '/usr/bin/node', bundle: '/usr/lib/cli.js' });
  expect(unit).toContain('\nEnvironment=TRACEWRIGHT_CONNECTION=%i\n');
});
