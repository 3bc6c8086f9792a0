// A clock in the picture: a strip of black and white cells across the top of every frame.

/** White, black, 16 bits of time, 4 bits of check, black, white. */
export const CELLS = 24;
/** The strip's height as a share of the picture's. */
const STRIP_SHARE = 1 / 12;
/** Times are told modulo this, milliseconds: longer than any delay that is measured. */
export const WRAP_MS = 65_536;

/** Height of the strip in a picture, pixels; even, as video is sampled in pairs. */
export function stripHeight(pictureHeight: number): number {
	return 2 * Math.round((pictureHeight * STRIP_SHARE) / 2);
}

/** The cells of a time, left to right; true is white. */
export function barsOf(timeMs: number): boolean[] {
	const value = timeMs % WRAP_MS;
	const bits = [true, false];
	for (let bit = 15; bit >= 0; bit--) bits.push(((value >> bit) & 1) === 1);
	const check = checkOf(value);
	for (let bit = 3; bit >= 0; bit--) bits.push(((check >> bit) & 1) === 1);
	return [...bits, false, true];
}

/** The time that cells tell, modulo `WRAP_MS`; `undefined` when they are no strip. */
export function timeOf(bars: readonly boolean[]): number | undefined {
	if (bars.length !== CELLS) return undefined;
	const [first, second, last, lastButOne] = [bars[0], bars[1], bars.at(-1), bars.at(-2)];
	if (!first || second || !last || lastButOne) return undefined;
	const number = (from: number, to: number) =>
		bars.slice(from, to).reduce((sum, bit) => sum * 2 + Number(bit), 0);
	const value = number(2, 18);
	return number(18, 22) === checkOf(value) ? value : undefined;
}

/** How long ago a time modulo `WRAP_MS` was, milliseconds. */
export function sinceMs(code: number, nowMs: number): number {
	return (((nowMs - code) % WRAP_MS) + WRAP_MS) % WRAP_MS;
}

function checkOf(value: number): number {
	const nibbles = [value & 15, (value >> 4) & 15, (value >> 8) & 15, (value >> 12) & 15];
	return nibbles.reduce((check, nibble) => (check * 3 + nibble) & 15, 5);
}
