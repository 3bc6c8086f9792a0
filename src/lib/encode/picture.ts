/** A size in pixels. */
export interface Size {
	readonly width: number;
	readonly height: number;
}

/** Brings frames of any size and turn to one size: as they are where they fit, else whole, with black bars. */
export class Picture {
	readonly size: Size;
	readonly #context: OffscreenCanvasRenderingContext2D;

	constructor(size: Size) {
		this.size = size;
		const canvas = new OffscreenCanvas(size.width, size.height);
		const context = canvas.getContext('2d', { alpha: false });
		if (!context) throw new Error('no canvas for frames');
		this.#context = context;
	}

	/** Whether a frame has another size or is turned. */
	differs(frame: VideoFrame): boolean {
		const { rotation = 0, flip = false } = frame as { rotation?: number; flip?: boolean };
		const { width, height } = this.size;
		return frame.displayWidth !== width || frame.displayHeight !== height || rotation !== 0 || flip;
	}

	/** The frame in this size; `frame` itself is closed, and the result is the caller's. */
	fit(frame: VideoFrame): VideoFrame {
		return this.differs(frame) ? this.copy(frame) : frame;
	}

	/** The same in a buffer of its own, whatever the size. */
	copy(frame: VideoFrame): VideoFrame {
		const { width, height } = this.size;
		const scale = Math.min(width / frame.displayWidth, height / frame.displayHeight);
		const [shownWidth, shownHeight] = [frame.displayWidth * scale, frame.displayHeight * scale];
		this.#clear('#000');
		this.#context.drawImage(
			frame,
			(width - shownWidth) / 2,
			(height - shownHeight) / 2,
			shownWidth,
			shownHeight,
		);
		frame.close();
		return this.#snapshot();
	}

	/** A still picture that says, without words, that there is no picture. */
	slate(): VideoFrame {
		const { width, height } = this.size;
		const context = this.#context;
		const unit = Math.min(width, height) / 12;
		this.#clear('#14161a');
		context.save();
		context.translate(width / 2, height / 2);
		context.strokeStyle = '#6b7280';
		context.lineWidth = unit / 5;
		context.lineJoin = 'round';
		context.lineCap = 'round';
		context.strokeRect(-1.5 * unit, -unit, 2.2 * unit, 2 * unit);
		context.beginPath();
		context.moveTo(0.9 * unit, -0.3 * unit);
		context.lineTo(1.7 * unit, -0.8 * unit);
		context.lineTo(1.7 * unit, 0.8 * unit);
		context.lineTo(0.9 * unit, 0.3 * unit);
		context.moveTo(-1.9 * unit, -1.5 * unit);
		context.lineTo(2 * unit, 1.5 * unit);
		context.stroke();
		context.restore();
		return this.#snapshot();
	}

	#clear(colour: string): void {
		this.#context.fillStyle = colour;
		this.#context.fillRect(0, 0, this.size.width, this.size.height);
	}

	#snapshot(): VideoFrame {
		return new VideoFrame(this.#context.canvas, { timestamp: 0 });
	}
}
