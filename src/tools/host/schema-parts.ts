import * as z from 'zod/v4';

/** A number, or null where it could not be measured. */
export const figure = z.number().nullable();

export const rows = z.array(z.looseObject({})).readonly();
