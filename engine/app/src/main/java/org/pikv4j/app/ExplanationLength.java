package org.pikv4j.app;

/** How much {@code --explain} says. */
enum ExplanationLength {
    /** Sums, and what is kept. */
    SHORT,
    /** Each decision, too. */
    ALL
}
