// Burns CPU in functions with known names; "planted" is among them where the argument says so, and
// then takes about half of the time. Run with --perf-basic-prof; ends when it is told to.
function steady() {
  let sum = 0;
  for (let at = 0; at < 3e6; at++) sum += at % 7;
  return sum;
}
function other() {
  let sum = 0;
  for (let at = 0; at < 1e6; at++) sum ^= at % 5;
  return sum;
}
function planted() {
  let sum = 0;
  for (let at = 0; at < 4e6; at++) sum += at % 11;
  return sum;
}
const withIt = process.argv[2] === 'planted';
const until = Date.now() + 120_000;
while (Date.now() < until) {
  steady();
  other();
  if (withIt) planted();
}
