import { mount } from 'svelte';
import { loadConfig, openSharedTorrents } from '../../lib/index.ts';
import { TORRENTS_OWNER } from '../_ui/torrents-owner.ts';
import { Replay } from './replay.svelte.ts';
import ReplayPage from './ReplayPage.svelte';

/** Shows the recording of a broadcast. */
export function showReplay(infoHash: string): void {
	addEventListener('hashchange', () => location.reload());
	const replay = new Replay(infoHash, async () => {
		const config = await loadConfig(new URL('../config.json', location.href).href);
		return openSharedTorrents(TORRENTS_OWNER, config);
	});
	mount(ReplayPage, { target: document.body, props: { replay } });
}
