import type { Wire } from 'webtorrent';

/** Longest message a peer may claim: the bitfield of eight million pieces. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** Ends a wire whose peer claims a message beyond all sense, before any of it is buffered. */
export function boundMessages(wire: Wire): void {
	const parse = wire._parse.bind(wire);
	wire._parse = (size, parser) => {
		if (size > MAX_MESSAGE_BYTES && size !== Number.MAX_VALUE) wire.destroy();
		else parse(size, parser);
	};
}
