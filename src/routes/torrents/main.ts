import { mount } from 'svelte';
import { loadConfig, openSharedTorrents } from '../../lib/index.ts';
import '../_ui/look.css';
import { TORRENTS_OWNER } from '../_ui/torrents-owner.ts';
import { Library } from './library.svelte.ts';
import Page from './Page.svelte';

const library = new Library(async () => {
	const config = await loadConfig(new URL('../config.json', location.href).href);
	return openSharedTorrents(TORRENTS_OWNER, config);
});

mount(Page, { target: document.body, props: { library } });

void library.start();
