// Burns CPU in functions with known names: hotspin under outer, 9 parts of 10, and coolspin.
// Run with --perf-basic-prof. Ends after as many milliseconds as its argument says.
function hotspin() {
  let sum = 0;
  for (let at = 0; at < 9e6; at++) sum += at % 7;
  return sum;
}
function coolspin() {
  let sum = 0;
  for (let at = 0; at < 1e6; at++) sum += at % 7;
  return sum;
}
function outer() {
  return hotspin() + coolspin();
}
const until = Date.now() + Number(process.argv[2] ?? 60_000);
while (Date.now() < until) outer();
