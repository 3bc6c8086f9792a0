import type { Link } from '../model/link.ts';
import type { Message } from '../model/message.ts';
import { newNeighbour, type Neighbour } from '../schedule/neighbour.ts';

/** A neighbour whose link keeps what it is sent, for tests of one part of the scheduler. */
export function fakeNeighbour(
	slot: number,
	known: Partial<Neighbour> = {},
): Neighbour & { readonly sent: Message[] } {
	const sent: Message[] = [];
	const link: Link = {
		peerId: slot.toString(16).padStart(40, '0'),
		initiated: true,
		origin: 'tracker',
		fingerprints: undefined,
		bufferedBytes: 0,
		send: (message) => sent.push(message),
		close: () => undefined,
		onMessage: () => undefined,
		onClose: () => undefined,
		onDrain: () => undefined,
	};
	return Object.assign(newNeighbour(link, slot, 0), {
		role: 'viewer' as const,
		uplinkKbps: 5000,
		rttMs: 60,
		...known,
		sent,
	});
}
