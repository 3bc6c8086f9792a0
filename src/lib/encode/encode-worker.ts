import { ShoalError } from '../model/error.ts';
import type { Emit, EncoderCommand } from './encoder-message.ts';
import { findMediaCodecs } from './media-codecs.ts';
import { Pipeline } from './pipeline.ts';

/** The worker's own scope; the page's type library calls it a window. */
const scope = globalThis as unknown as {
	postMessage(message: unknown, transfer?: Transferable[]): void;
	onmessage: ((event: MessageEvent<EncoderCommand>) => void) | null;
	close(): void;
};

const emit: Emit = (report, transfer = []) => scope.postMessage(report, transfer);
let pipeline: Pipeline | undefined;

scope.onmessage = ({ data: command }) => {
	switch (command.type) {
		case 'open':
			void open(command);
			return;
		case 'source':
			pipeline?.setSource(command.source);
			return;
		case 'frame':
			if (pipeline) pipeline.takeFrame(command.frame);
			else if (command.frame !== 'ended') command.frame.close();
			return;
		case 'bitrate':
			pipeline?.setVideoBps(command.bps);
			return;
		case 'close':
			pipeline?.close();
			emit({ type: 'closed' });
			scope.close();
			return;
	}
};

async function open({ profile, source }: EncoderCommand & { type: 'open' }): Promise<void> {
	try {
		const media = findMediaCodecs();
		if (!media) throw new ShoalError('no-encoder', 'this browser has no WebCodecs in workers');
		pipeline = new Pipeline({ profile, media, emit });
		await pipeline.open(source);
		emit({ type: 'opened' });
	} catch (cause) {
		pipeline?.close();
		const code = cause instanceof ShoalError ? cause.code : 'encoder-failed';
		emit({ type: 'failed', code, message: String(cause) });
	}
}
