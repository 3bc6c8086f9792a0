import { FakeTracker } from './fake-tracker.ts';
import { wireId } from './messages.ts';

/** The infohash that victim and attackers announce. */
export const swarm = wireId('swarm');
/** The peer id of whom others mean harm. */
export const victim = wireId('victim');
/** The peer id of a stranger. */
export const anna = wireId('anna');

/** A tracker whose only peer is the victim, which may announce again. */
export function withVictim(options: ConstructorParameters<typeof FakeTracker>[0] = {}) {
	const world = new FakeTracker(options);
	const client = world.connect();
	client.announce(swarm, victim);
	world.wait(3_000);
	return { world, client };
}
