import { mount } from 'svelte';
import './_ui/look.css';
import Page from './Page.svelte';

mount(Page, { target: document.body });
