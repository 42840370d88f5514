/** Between two requests of a client, as of an assistant that looks at what it got. */
export const think_ms = [500, 1500];

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const think = () => pause(think_ms[0] + Math.random() * (think_ms[1] - think_ms[0]));
