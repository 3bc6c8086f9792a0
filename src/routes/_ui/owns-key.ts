/** Fields that take every letter. */
const TAKES_LETTERS =
	'textarea, select, [contenteditable], dialog, input:not([type=radio], [type=checkbox], [type=range], [type=button])';
/** What Space presses, ticks or opens. */
const TAKES_SPACE = 'button, summary, input, [role=button]';
/** What arrows move in. */
const TAKES_ARROWS = 'input';

/** Whether a key means something where the focus is, so that it is not the player's. */
export function ownsKey(focused: Element, key: string): boolean {
	if (focused.closest(TAKES_LETTERS)) return true;
	if (key === ' ') return focused.matches(TAKES_SPACE);
	return key.startsWith('Arrow') && focused.matches(TAKES_ARROWS);
}
