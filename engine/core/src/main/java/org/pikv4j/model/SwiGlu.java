package org.pikv4j.model;

/**
 * The weights of one expert, or of a dense block: down · (silu(gate·x) ⊙ (up·x)).
 *
 * @param gate (width, hidden)
 * @param up (width, hidden)
 * @param down (hidden, width)
 */
public record SwiGlu(Linear gate, Linear up, Linear down) {

    /**
     * @return the inner width
     */
    public int width() {
        return gate.out();
    }
}
