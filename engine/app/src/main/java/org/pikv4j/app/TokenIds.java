package org.pikv4j.app;

import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;
import org.pikv4j.error.InvalidOptionException;

/** Reads token ids as whitespace-separated integers. */
final class TokenIds {
    private TokenIds() {}

    /**
     * @param source what to call the text in messages
     * @param text the integers
     * @param vocabulary ids are below this
     * @return the ids
     * @throws InvalidOptionException naming the first that is none
     */
    static int[] parse(String source, String text, int vocabulary) {
        List<Integer> ids = new ArrayList<>();
        try (Scanner words = new Scanner(text)) {
            while (words.hasNext()) {
                ids.add(id(source, words.next(), ids.size() + 1, vocabulary));
            }
        }
        if (ids.isEmpty()) {
            throw new InvalidOptionException(source + " holds no token ids");
        }
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    private static int id(String source, String word, int place, int vocabulary) {
        String shown = word.length() > 40 ? word.substring(0, 40) + "..." : word;
        long id;
        try {
            id = Long.parseLong(word);
        } catch (NumberFormatException e) {
            throw new InvalidOptionException(source + ": number " + place + ", '" + shown + "', is no token id");
        }
        if (id < 0 || id >= vocabulary) {
            throw new InvalidOptionException(source + ": number " + place + ", " + shown
                    + ", is outside the model's vocabulary of " + vocabulary);
        }
        return (int) id;
    }
}
