import type { Random } from '../util/clock.ts';
import type { Message } from '../model/message.ts';

/** What a simulated peer is like. */
export type SimRole =
	| 'normal'
	| 'relay'
	| 'slow'
	| 'free-rider'
	| 'lying-rider'
	| 'polluter'
	| 'impostor'
	| 'silent'
	| 'lying-have'
	| 'churner';

const GARBAGE = new Uint8Array(16 * 1024).fill(0xee);

/** What a role does to the messages it sends; `undefined` for roles that are honest. */
export function tamperOf(
	role: SimRole,
	random: Random,
): ((message: Message) => Message | undefined) | undefined {
	switch (role) {
		case 'lying-rider':
			// Takes children and the best places, and passes nothing on.
			return (message) => (message.type === 'piece' ? undefined : message);
		case 'impostor':
			// Says that it is the broadcaster, takes all that would be fed by it, and gives nothing.
			return (message) => {
				if (message.type === 'hello') return { ...message, role: 'broadcaster' };
				if (message.type === 'subscribed') return { ...message, substreams: message.asked };
				return message.type === 'piece' || message.type === 'reject' ? undefined : message;
			};
		case 'polluter':
			return (message) =>
				message.type === 'piece'
					? { ...message, block: GARBAGE.slice(0, message.block.length) }
					: message;
		case 'silent':
			return (message) =>
				message.type === 'hello' || message.type === 'ping' || message.type === 'pong'
					? message
					: undefined;
		case 'lying-have':
			// Announces all of a segment when it has any of it, and answers nothing.
			return (message) => {
				if (message.type === 'piece') return undefined;
				if (message.type !== 'have' || random() < 0.1) return message;
				return { ...message, bits: new Uint8Array(message.bits.length).fill(0xff) };
			};
		default:
			return undefined;
	}
}
