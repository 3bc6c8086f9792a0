import { mount } from 'svelte';
import '../_ui/look.css';
import { headStart } from '../_ui/head-start.ts';
import { openFromAddress } from '../_ui/open-viewer.ts';
import { Watching } from '../_ui/watching.svelte.ts';
import Page from './Page.svelte';

// Inside another site's frame there may be no storage at all; nothing here asks for it.
const model = new Watching(openFromAddress({ remembers: false }));

void headStart(model.join()).then(() => mount(Page, { target: document.body, props: { model } }));
