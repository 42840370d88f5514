// Evaluated before every other module: npx only warns about "engines", and newer syntax or APIs
// further down would fail with a message that says nothing.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `tracewright needs Node.js 20.19 or newer, this is ${process.versions.node}. ` +
      'Debian 13 ships a newer one (sudo apt-get install nodejs); elsewhere: npx -y -p node@22 -p tracewright tracewright',
  );
  process.exit(1);
}
