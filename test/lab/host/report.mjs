/**
 * Prints what the guest reports as it comes: lines of {type: "booted" | "installed"} and
 * {type: "test", name, outcome, ms, message?}, and {type: "bench", line}.
 */
export function openReport(say) {
  const started = Date.now();
  const counts = { pass: 0, fail: 0, skip: 0 };
  const failed = [];
  let booted = false;
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  const show = {
    booted({ kernel, cpus }) {
      booted = true;
      say(`booted ${kernel} with ${cpus} CPUs in ${seconds()}`);
    },
    installed: () => say(`installed after ${seconds()}`),
    bench: ({ line }) => console.log(line),
    test({ name, outcome, ms, message }) {
      counts[outcome] += 1;
      if (outcome === 'fail') failed.push(name);
      say(`  ${outcome}  ${name} (${Math.round(ms)} ms)`);
      if (message) console.error(message.replace(/^/gm, '      '));
    },
  };
  return {
    take(line) {
      try {
        const report = JSON.parse(line);
        show[report.type]?.(report);
      } catch {
        say(`unreadable report: ${line.slice(0, 200)}`);
      }
    },
    /** Returns the names of the tests that failed, and whether the guest came up at all. */
    end() {
      const { pass, fail, skip } = counts;
      if (pass + fail + skip > 0) say(`${pass} passed, ${fail} failed, ${skip} skipped`);
      say(`the machine ran ${seconds()}`);
      return { failed, booted };
    },
  };
}
