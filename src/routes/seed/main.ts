import { mount } from 'svelte';
import {
	Broadcaster,
	LOW_DELAY,
	STEADY,
	listDevices,
	loadConfig,
	openCamera,
	openFile,
	openScreen,
	type Profile,
	type Source,
} from '../../lib/index.ts';
import { reloadWhenBroughtBack } from '../_ui/fresh-page.ts';
import '../_ui/look.css';
import Framed from './Framed.svelte';
import Page from './Page.svelte';
import { Studio, type StudioParts } from './studio.svelte.ts';

reloadWhenBroughtBack();

const parts: StudioParts<Source, Profile> = {
	async openBroadcaster(options) {
		const config = await loadConfig(new URL('../config.json', location.href).href);
		const broadcaster = await Broadcaster.open({ config, ...options });
		Object.assign(window, { shoal: broadcaster });
		return broadcaster;
	},
	openCamera,
	openScreen,
	openFile,
	listDevices,
	profiles: { steady: STEADY, 'low-delay': LOW_DELAY },
	links: (id) => ({
		watch: new URL(`../watch/#${id}`, location.href).href,
		embed: new URL(`../embed/#${id}`, location.href).href,
	}),
};

// A page that could be clicked through another one must not hold the camera; where the server can't
// forbid framing, the page itself does.
if (window.top === window) {
	mount(Page, { target: document.body, props: { studio: new Studio(parts) } });
} else {
	mount(Framed, { target: document.body });
}
