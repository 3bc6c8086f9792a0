// Every state of every page, shown on request: gallery.html?page=watch&state=stalled.
// Served to tests alone; no build takes it up.
import { mount } from 'svelte';
import EmbedPage from '../../embed/Page.svelte';
import SeedPage from '../../seed/Page.svelte';
import WatchPage from '../../watch/Page.svelte';
import '../look.css';
import { SEED_STATES, studioIn } from './seed-states.ts';
import { WATCH_STATES, watchingIn } from './watch-states.ts';

const query = new URLSearchParams(location.search);
const state = query.get('state') ?? '';
const target = document.body;

switch (query.get('page')) {
	case 'seed':
		mount(SeedPage, { target, props: { studio: studioIn(state) } });
		break;
	case 'watch':
		mount(WatchPage, { target, props: { model: watchingIn(state, true) } });
		break;
	case 'embed':
		mount(EmbedPage, { target, props: { model: watchingIn(state, false) } });
		break;
	default:
		Object.assign(window, {
			states: { seed: Object.keys(SEED_STATES), watch: Object.keys(WATCH_STATES) },
		});
}
