import { TracewrightError } from '../errors.ts';

/** Where others than root may change what root would run. */
export const replaceable = (weak: string): TracewrightError =>
  new TracewrightError(
    'NOT_ALLOWED',
    `Others than root may replace ${weak}: whoever does would become root through the helper.`,
    'sudo npm install --global --prefix /opt/tracewright tracewright, then use /opt/tracewright/bin/tracewright with a Node.js of root.',
  );
