package org.pikv4j.session;

/** Hears of a generation as it goes on, on the thread that called {@link Session#generate}. */
@FunctionalInterface
public interface GenerationListener {

    /**
     * @param piece text that has become certain, never empty
     */
    void text(String piece);

    /**
     * @param done tokens of the prompt read so far
     * @param total tokens of the prompt that have to be read
     */
    default void prefill(int done, int total) {}
}
