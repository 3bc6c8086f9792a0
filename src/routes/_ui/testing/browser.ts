/** What a view-model looks at in a browser, for tests without one. */
export class BrowserDouble extends EventTarget {
	onLine = true;
	readonly #keys = new Map<string, () => void>();
	/** What media keys are told to. */
	readonly mediaSession = {
		setActionHandler: (name: string, act: (() => void) | null) => {
			if (act) this.#keys.set(name, act);
			else this.#keys.delete(name);
		},
	};

	/** Puts itself in the place of `window` and `navigator`. */
	install(stubGlobal: (name: string, value: unknown) => unknown): void {
		stubGlobal('addEventListener', this.addEventListener.bind(this));
		stubGlobal('navigator', this);
	}

	/** Presses a media key. */
	pressKey(name: 'play' | 'pause'): void {
		this.#keys.get(name)?.();
	}

	/** Pulls the plug, or puts it back. */
	setOnline(online: boolean): void {
		this.onLine = online;
		this.dispatchEvent(new Event(online ? 'online' : 'offline'));
	}
}

/** A video element as far as a view-model knows it. */
export class VideoDouble extends EventTarget {
	paused = true;
	volume = 1;
	#muted = true;

	get muted(): boolean {
		return this.#muted;
	}

	set muted(muted: boolean) {
		this.#muted = muted;
		this.dispatchEvent(new Event('volumechange'));
	}

	asElement(): HTMLVideoElement {
		return this as unknown as HTMLVideoElement;
	}
}
