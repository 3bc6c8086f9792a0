import type { Connection } from './peer.ts';
import type { Limits } from './limits.ts';

/**
 * Whether a connection's message is read, dropped unread, or its last. A burst too long only loses
 * its tail; whoever goes on while nothing is read sinks.
 */
export function heed(
	connection: Connection,
	limits: Limits,
	nowMs: number,
): 'read' | 'drop' | 'close' {
	const { messages } = connection;
	if (messages.take(limits.messagesPerSecond, limits.messageBurst, nowMs)) return 'read';
	messages.tokens -= 1;
	return messages.tokens < -limits.messageBurst ? 'close' : 'drop';
}

/** Counts a bad message; true when it was one too many. Old ones are forgiven in time. */
export function strike(connection: Connection, limits: Limits, nowMs: number): boolean {
	const forgiven = Math.floor((nowMs - connection.struckMs) / limits.strikeForgivenMs);
	connection.strikes = Math.max(0, connection.strikes - forgiven) + 1;
	connection.struckMs = nowMs;
	return connection.strikes >= limits.strikes;
}
