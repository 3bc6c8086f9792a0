import { Player, Viewer, ShoalError, loadConfig, parseChannel } from '../../lib/index.ts';
import { reloadWhenBroughtBack } from './fresh-page.ts';
import type { WatchingParts } from './watching.svelte.ts';

/** The real viewer and player for the link in the address bar; both pages that watch stand on it. */
export function openFromAddress(options: { remembers: boolean }): WatchingParts {
	// Another link in the same tab changes only the fragment: begin again with it.
	addEventListener('hashchange', () => location.reload());
	reloadWhenBroughtBack();
	return {
		remembers: options.remembers,
		async open(video, sharing) {
			parseChannel(location.hash); // a cut link is told at once, whatever the network does
			if (!isSecureContext) throw new ShoalError('no-signing', 'the page came over plain http');
			const config = await loadConfig(new URL('../config.json', location.href).href);
			const viewer = new Viewer(location.hash, { config, ...sharing });
			const player = new Player(video, viewer);
			Object.assign(window, { shoal: player });
			return { viewer, player };
		},
	};
}
