/** A place in a segment that says when something in it begins. */
export interface StartField {
	/** Microseconds on the segment's timeline. */
	readonly startUs: number;
	/** Writes another time there, in place; what would lie before 0 becomes 0. `false` when it is too large for the field. */
	move(byUs: number): boolean;
}
