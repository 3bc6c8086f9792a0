// Numbers as people read them: a unit, and no more digits than they mean.

/** One decimal below 10, none from there on. */
function short(value: number): string {
	return value < 9.95 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}

/** A span of time: "0.6 s", "12 s", "3 min", "1 h 5 min". */
export function span(ms: number): string {
	const seconds = Math.max(0, ms) / 1000;
	if (seconds < 59.5) return `${short(seconds)} s`;
	const minutes = Math.round(seconds / 60);
	if (minutes < 60) return `${minutes} min`;
	const rest = minutes % 60;
	return `${Math.floor(minutes / 60)} h${rest ? ` ${rest} min` : ''}`;
}

/** A span of time for those who listen: "12 seconds", "1 minute 5 seconds". */
export function spokenSpan(ms: number): string {
	const seconds = Math.round(Math.max(0, ms) / 1000);
	const minutes = Math.floor(seconds / 60);
	const rest = seconds % 60;
	if (minutes === 0) return count(seconds, 'second');
	return count(minutes, 'minute') + (rest ? ` ${count(rest, 'second')}` : '');
}

/** How long ago, in steps coarse enough to be read aloud: "just now", "10 s ago", "2 min ago". */
export function ago(ms: number): string {
	const seconds = Math.max(0, ms) / 1000;
	if (seconds < 3) return 'just now';
	if (seconds < 10) return `${Math.round(seconds)} s ago`;
	if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s ago`;
	return `${span(Math.floor(seconds / 60) * 60_000)} ago`;
}

/** A bit rate: "640 kbit/s", "2.4 Mbit/s". */
export function rate(bps: number): string {
	const kilobits = Math.max(0, bps) / 1000;
	if (kilobits < 999.5) return `${Math.round(kilobits)} kbit/s`;
	return `${short(kilobits / 1000)} Mbit/s`;
}

/** A count and its noun: "1 viewer", "1,204 viewers". */
export function count(n: number, noun: string): string {
	return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

/** A decimal factor: "1.3", "12". */
export function factor(value: number): string {
	return short(Math.max(0, value));
}

/** A running clock: "00:12:41". */
export function stopwatch(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1000));
	const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
	return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** A size: "640 kB", "2.4 GB". */
export function size(bytes: number): string {
	const units = ['B', 'kB', 'MB', 'GB', 'TB'];
	let value = bytes;
	let unit = 0;
	for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
	const number = unit === 0 ? String(value) : factor(value);
	return `${number} ${units[unit] ?? ''}`;
}

/** Whole percents, never 100 before the end. */
export function percent(progress: number): string {
	return `${progress >= 1 ? 100 : Math.min(99, Math.floor(progress * 100))} %`;
}
