export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Between two requests of a client, as of an assistant that looks at what it got. */
export const thinkFor = ([least_ms, most_ms]) =>
  pause(least_ms + Math.random() * (most_ms - least_ms));
