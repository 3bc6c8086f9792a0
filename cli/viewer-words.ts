import type { Viewer, ViewerState } from '../src/lib/index.ts';
import type { Output } from './output.ts';
import { refusalWatch } from './tracker-words.ts';

const WORDS = {
	connecting: 'Looking for the tracker',
	'no-tracker': 'No tracker answers; trying again',
	'finding-peers': 'Looking for others who watch',
	waiting: 'Waiting for the broadcaster',
	receiving: 'Receiving',
	ended: 'The broadcast has ended',
	failed: 'No way through to the others; "shoal doctor" says what is in the way',
} as const;

/** What a viewer is doing, for a person. */
export function stateWords({ type }: ViewerState): string {
	return WORDS[type];
}

/** Says what viewers are doing, each time that it changes, and which trackers refuse; `named` tells channels apart. */
export function sayStates(
	viewers: readonly Viewer[],
	output: Output,
	{ named = false }: { named?: boolean } = {},
): void {
	for (const viewer of viewers) {
		const { id } = viewer.channel;
		const name = named ? `${id.slice(0, 8)}…: ` : '';
		const sayRefusals = refusalWatch(output, name);
		let said = '';
		viewer.on('state', (state) => {
			sayRefusals(viewer.stats.trackers);
			// A tracker that doesn't answer is called again and again; that is no news.
			if (state.type === said || state.type === 'connecting') return;
			said = state.type;
			output.event(name + stateWords(state), {
				type: 'state',
				...(named && { channel: id }),
				state: said,
			});
		});
		viewer.on('stats', ({ trackers }) => sayRefusals(trackers));
	}
}
