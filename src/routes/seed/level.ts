/** The quietest level that a meter shows, dBFS. */
export const FLOOR_DB = -60;

/** How loud samples from −1 to 1 are: 0 at the floor or below, 1 at full scale, even steps in dB between. */
export function level(samples: Float32Array): number {
	let sum = 0;
	for (const sample of samples) sum += sample * sample;
	if (sum === 0) return 0;
	const db = 10 * Math.log10(sum / samples.length);
	return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}
