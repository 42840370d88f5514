export const glyph_width = 6;
export const glyph_height = 9;

/**
 * Printable ASCII from the blank on, 5 x 9 points each: a digit of base 32 is a row from the top, its
 * highest bit the point on the left. The last two rows are below the line.
 */
const rows = (
  '000000000 444440400 aaa000000 aavavaa00 4fke5u400 op248j300 cik8lid00 448000000 ' +
  '248884200 842224800 04lel4000 044v44000 00000c480 000v00000 00000cc00 11248gg00 ' +
  'ehjlphe00 4c4444e00 eh1248v00 v2421he00 26aiv2200 vgu11he00 68guhhe00 v12488800 ' +
  'ehhehhe00 ehhf12c00 0cc0cc000 0cc0c4800 248g84200 00v0v0000 842124800 eh1240400 ' +
  'eh1dlle00 ehhhvhh00 uhhuhhu00 ehggghe00 sihhhis00 vgguggv00 vgguggg00 ehgnhhf00 ' +
  'hhhvhhh00 e44444e00 72222ic00 hikokih00 ggggggv00 hrllhhh00 hhpljhh00 ehhhhhe00 ' +
  'uhhuggg00 ehhhlid00 uhhukih00 fgge11u00 v44444400 hhhhhhe00 hhhhha400 hhhllla00 ' +
  'hha4ahh00 hhha44400 v1248gv00 e88888e00 gg8421100 e22222e00 4ah000000 0000000v0 ' +
  '842000000 00e1fhf00 ggmphhu00 00egghe00 11djhhf00 00ehvge00 698s88800 00fhhhf1e ' +
  'ggmphhh00 40c444e00 2062222ic ggikoki00 c44444e00 00qllhh00 00mphhh00 00ehhhe00 ' +
  '00uhhhugg 00fhhhf11 00mpggg00 00fge1u00 88s889600 00hhhjd00 00hhha400 00hhlla00 ' +
  '00ha4ah00 00hhhhf1e 00v248v00 244844200 444444400 844244800 008l20000'
).split(' ');

const first = 32;

/** Where a character has ink, as columns and rows of its cell. What has no glyph looks like "?". */
export function glyphPoints(character: string): readonly (readonly [number, number])[] {
  const glyph = rows[character.charCodeAt(0) - first] ?? rows['?'.charCodeAt(0) - first] ?? '';
  return [...glyph].flatMap((digit, y) => {
    const bits = Number.parseInt(digit, 32);
    return [0, 1, 2, 3, 4].flatMap((x) => ((bits >> (4 - x)) & 1 ? [[x, y] as const] : []));
  });
}
