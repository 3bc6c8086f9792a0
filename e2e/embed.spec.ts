import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { broadcastCamera } from './broadcast.ts';
import { expect, test } from './fixtures.ts';
import { expectPlaying, plays } from './picture.ts';

/** A page of another site around some HTML, at an origin of its own. */
async function openOtherSite(html: string): Promise<{ url: string; server: Server }> {
	const server = createServer((_request, response) => {
		response.setHeader('content-type', 'text/html; charset=utf-8');
		response.end(
			`<!doctype html><title>Another site</title><div style="width:480px">${html}</div>`,
		);
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, server };
}

test('the embed plays in a page of another origin, sandboxed to scripts alone', async ({
	people,
}) => {
	const { page: seed } = await broadcastCamera(people);
	const code = await seed.getByRole('textbox', { name: 'Embed code' }).inputValue();
	expect(code).toContain('<iframe');
	const other = await openOtherSite(code.replace('<iframe', '<iframe sandbox="allow-scripts"'));
	try {
		const context = await people.visit();
		const page = await context.newPage();
		await page.goto(other.url);
		const frame = page.frameLocator('iframe');
		const video = frame.locator('video');
		await plays(video);
		await expectPlaying(video, 8);
		// No storage at all: an opaque origin.
		expect(await video.evaluate(() => self.origin)).toBe('null');
	} finally {
		other.server.close();
	}
});
