/** Whether `value` is a wire id: 20 characters, one byte each (U+0000..U+00FF). */
export function isBinaryId(value: unknown): value is string {
	if (typeof value !== 'string' || value.length !== 20) return false;
	for (let i = 0; i < 20; i++) if (value.charCodeAt(i) > 0xff) return false;
	return true;
}

/** Lower-case hex of a wire id, for configuration and logs that name a torrent. */
export function hexOfId(id: string): string {
	let hex = '';
	for (let i = 0; i < id.length; i++) hex += id.charCodeAt(i).toString(16).padStart(2, '0');
	return hex;
}
