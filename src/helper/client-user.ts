type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Who made the connection of a helper, for its audit: the user that sudo names, or the id in the name
 * of the unit's instance, which systemd makes of the connection, and last the user at its other
 * end ("3-4711-1000": the third one, process 4711, user 1000). Neither is the client's to choose.
 */
export function clientUser(environment: Environment): string {
  const uid = /-(\d+)$/.exec(environment['TRACEWRIGHT_CONNECTION'] ?? '')?.[1];
  return environment['SUDO_USER'] ?? (uid === undefined ? 'a user of the socket' : `user ${uid}`);
}
