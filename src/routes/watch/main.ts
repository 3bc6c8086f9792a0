import { mount } from 'svelte';
import '../_ui/look.css';
import { headStart } from '../_ui/head-start.ts';
import { openFromAddress } from '../_ui/open-viewer.ts';
import { replayOf } from '../_ui/replay-link.ts';
import { Watching } from '../_ui/watching.svelte.ts';
import Page from './Page.svelte';

const infoHash = replayOf(location.href);
if (infoHash) {
	// Few links lead to a recording: its parts are fetched for those alone.
	void import('./show-replay.ts').then(({ showReplay }) => showReplay(infoHash));
} else {
	const model = new Watching(openFromAddress({ remembers: true }));
	void headStart(model.join()).then(() => mount(Page, { target: document.body, props: { model } }));
}
