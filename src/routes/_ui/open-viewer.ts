import { Player, Viewer, ShoalError, loadConfig, parseChannel } from '../../lib/index.ts';
import type { SiteConfig } from '../../lib/index.ts';
import { reloadWhenBroughtBack } from './fresh-page.ts';
import type { WatchingParts } from './watching.svelte.ts';

/** The real viewer and player for the link in the address bar; both pages that watch stand on it. */
export function openFromAddress({ remembers }: { remembers: boolean }): WatchingParts {
	// Another link in the same tab changes only the fragment: begin again with it.
	addEventListener('hashchange', () => location.reload());
	reloadWhenBroughtBack();
	const readConfig = () => loadConfig(new URL('../config.json', location.href).href);
	// Asked for while the page is still being built; who tries again gets a fresh one.
	let early: Promise<SiteConfig> | undefined = readConfig();
	early.catch(() => undefined);
	return {
		remembers,
		async join(options) {
			if (location.hash.length < 2) {
				throw Object.assign(new Error('the address ends before the link'), { code: 'no-link' });
			}
			parseChannel(location.hash); // a cut link is told at once, whatever the network does
			if (!isSecureContext) throw new ShoalError('no-signing', 'the page came over plain http');
			const reading = early ?? readConfig();
			early = undefined;
			const config = await reading;
			const viewer = new Viewer(location.hash, { config, ...options });
			await viewer.open();
			return {
				viewer,
				playOn(video) {
					const player = new Player(video, viewer);
					Object.assign(window, { shoal: player });
					return player;
				},
			};
		},
	};
}
