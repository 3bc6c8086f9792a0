import { mount } from 'svelte';
import { loadConfig, openSharedTorrents } from '../../lib/index.ts';
import '../_ui/look.css';
import { Library } from './library.svelte.ts';
import Page from './Page.svelte';

/** Patrons of this owner share one list, in every tab. */
const OWNER = 'torrents page';

const library = new Library(async () => {
	const config = await loadConfig(new URL('../config.json', location.href).href);
	return openSharedTorrents(OWNER, config);
});

mount(Page, { target: document.body, props: { library } });

void library.start();
