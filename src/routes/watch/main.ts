import { mount } from 'svelte';
import '../_ui/look.css';
import { openFromAddress } from '../_ui/open-viewer.ts';
import { Watching } from '../_ui/watching.svelte.ts';
import Page from './Page.svelte';

const model = new Watching(openFromAddress({ remembers: true }));

mount(Page, { target: document.body, props: { model } });
