/**
 * A server's text frame (RFC 6455 §5.2), not masked, of a message given as wire text.
 *
 * | bytes          | length up to 125 | up to 65,535    |
 * |----------------|------------------|-----------------|
 * | 0              | 0x81             | 0x81            |
 * | 1              | length           | 126             |
 * | 2–3            |                  | length          |
 */
export function textFrame(wire: string): Buffer {
	const { length } = wire;
	if (length > 0xffff) throw new RangeError(`a message of ${length} bytes`);
	const head = length < 126 ? 2 : 4;
	const frame = Buffer.allocUnsafe(head + length);
	frame[0] = 0x81;
	if (length < 126) {
		frame[1] = length;
	} else {
		frame[1] = 126;
		frame.writeUInt16BE(length, 2);
	}
	frame.write(wire, head, 'latin1');
	return frame;
}
