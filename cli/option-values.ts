import { InvalidArgumentError } from 'commander';

/** For options in Mbit/s: bits per second. */
export function megabits(text: string): number {
	return between(0.001, 1e6, 'Mbit/s')(text) * 1e6;
}

/** For options that are numbers with bounds; what lies outside is wrong usage. */
export function between(least: number, most: number, unit: string): (text: string) => number {
	return (text) => {
		const value = Number(text);
		if (text.trim() !== '' && value >= least && value <= most) return value;
		throw new InvalidArgumentError(`It takes ${least} to ${most} ${unit}.`);
	};
}
