import { expect, type Page } from '@playwright/test';
import type { People } from './people.ts';

/** A broadcast on air, and the page it comes from. */
export interface Broadcast {
	readonly page: Page;
	/** What the broadcaster shares: the address of the watch page with the channel. */
	readonly link: string;
}

/** Opens the seed page and goes live with the browser's camera and microphone, as a person does. */
export async function broadcastCamera(people: People): Promise<Broadcast> {
	const page = await people.open('/seed/', { camera: true });
	await page.getByRole('button', { name: 'Camera', exact: true }).click();
	return goLive(page);
}

/** Presses "Go live" on a seed page and waits until it is. */
export async function goLive(page: Page): Promise<Broadcast> {
	await page.getByRole('button', { name: 'Go live' }).click();
	await onAir(page);
	return { page, link: await page.getByRole('textbox', { name: 'Peer link' }).inputValue() };
}

/** Resolves when a seed page says that it is live. */
export async function onAir(page: Page): Promise<void> {
	await expect(page.getByRole('status').filter({ hasText: 'You’re live' })).toBeVisible();
}

/** Opens a peer link as a new person; the picture has not come yet. */
export async function watch(people: People, link: string): Promise<Page> {
	const { pathname, hash } = new URL(link);
	return people.open(pathname + hash);
}
