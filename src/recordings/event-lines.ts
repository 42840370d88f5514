/**
 * Parts the output of the event program, which may be torn anywhere, into its lines: records begin
 * with a small letter, all else is for whoever controls the program. Records of more than one line
 * are not asked for here.
 */
export function eventLines(
  record: (line: string) => void,
  control: (line: string) => void,
): (bytes: Buffer) => void {
  let torn = '';
  return (bytes) => {
    // Names are numbers here and functions of the kernel have plain names: nothing needs decoding.
    const text = torn + bytes.toString('latin1');
    let at = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      const line = text.slice(at, end);
      at = end + 1;
      if (/^[a-z]/.test(line)) record(line);
      else if (line !== '') control(line);
    }
    torn = text.slice(at);
  };
}
