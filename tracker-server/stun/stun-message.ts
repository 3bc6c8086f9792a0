import { parseAddress } from '../core/address.ts';

const magicCookie = 0x2112a442;
const headerBytes = 20;
/** Longest request answered: a bare header, or one with a few attributes. */
const mostRequestBytes = 128;

/**
 * The answer to a STUN Binding request (RFC 8489 §5, §14.2), or undefined for anything else.
 *
 * | bytes | request                  | response                               |
 * |-------|--------------------------|----------------------------------------|
 * | 0–1   | 0x0001 Binding request   | 0x0101 Binding success                 |
 * | 2–3   | length of the attributes | 12 (IPv4) or 24 (IPv6)                 |
 * | 4–7   | 0x2112A442               | the same                               |
 * | 8–19  | transaction id           | the same                               |
 * | 20–   | attributes, not read     | XOR-MAPPED-ADDRESS 0x0020              |
 */
export function bindingResponse(
	request: Uint8Array,
	address: string,
	port: number,
): Uint8Array | undefined {
	// Nobody can be answered at port 0, which only a forged packet comes from: Node's sockets throw at it.
	if (port === 0 || !isBindingRequest(request)) return undefined;
	const ip = parseAddress(address);
	if (!ip) return undefined;
	const response = new Uint8Array(headerBytes + 8 + ip.length);
	const view = new DataView(response.buffer);
	response.set(request.subarray(0, headerBytes));
	view.setUint16(0, 0x0101);
	view.setUint16(2, 8 + ip.length);
	view.setUint16(20, 0x0020);
	view.setUint16(22, 4 + ip.length);
	view.setUint8(25, ip.length === 4 ? 1 : 2);
	view.setUint16(26, port ^ (magicCookie >>> 16));
	// The address is masked with the cookie and, for IPv6, the transaction id that follows it.
	ip.forEach((byte, i) => view.setUint8(28 + i, byte ^ (request[4 + i] as number)));
	return response;
}

function isBindingRequest(request: Uint8Array): boolean {
	if (request.length < headerBytes || request.length > mostRequestBytes) return false;
	const view = new DataView(request.buffer, request.byteOffset, request.byteLength);
	if (view.getUint16(0) !== 0x0001 || view.getUint32(4) !== magicCookie) return false;
	if (view.getUint16(2) !== request.length - headerBytes) return false;
	return hasWholeAttributes(view);
}

/** Attributes must fill the message exactly, each padded to four bytes. */
function hasWholeAttributes(view: DataView): boolean {
	let at = headerBytes;
	while (at + 4 <= view.byteLength) at += 4 + ((view.getUint16(at + 2) + 3) & ~3);
	return at === view.byteLength;
}
