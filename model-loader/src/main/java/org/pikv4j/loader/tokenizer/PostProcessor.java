package org.pikv4j.loader.tokenizer;

import java.util.List;

/** Puts special tokens around the ids of a text. Only the template for a single text is read, not that for pairs. */
sealed interface PostProcessor {

    /**
     * @param ids the ids of a text
     * @param addSpecialTokens whether special tokens are wanted
     * @return the ids with what the template adds
     */
    int[] apply(int[] ids, boolean addSpecialTokens);

    /** Adds nothing; byte-level post-processing is about offsets, which nobody asks for here. */
    record Unchanged() implements PostProcessor {
        @Override
        public int[] apply(int[] ids, boolean addSpecialTokens) {
            return ids;
        }
    }

    /** A list of slots, each for the text or for a special token. */
    record Template(List<Slot> slots) implements PostProcessor {
        @Override
        public int[] apply(int[] ids, boolean addSpecialTokens) {
            IntList result = new IntList();
            for (Slot slot : slots) {
                switch (slot) {
                    case Slot.Text text -> result.addAll(ids);
                    case Slot.Special special when addSpecialTokens -> special.ids.forEach(result::add);
                    case Slot.Special special -> {}
                }
            }
            return result.from(0);
        }
    }

    /** One after the other. */
    record Sequence(List<PostProcessor> postProcessors) implements PostProcessor {
        @Override
        public int[] apply(int[] ids, boolean addSpecialTokens) {
            int[] result = ids;
            for (PostProcessor postProcessor : postProcessors) {
                result = postProcessor.apply(result, addSpecialTokens);
            }
            return result;
        }
    }

    /** A place in a template. */
    sealed interface Slot {
        /** The text's ids go here. */
        record Text() implements Slot {}

        /**
         * A special token.
         *
         * @param ids its ids; mostly one
         */
        record Special(List<Integer> ids) implements Slot {}
    }
}
