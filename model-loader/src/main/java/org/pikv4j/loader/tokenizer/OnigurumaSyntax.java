package org.pikv4j.loader.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * Translates a regular expression from the dialect of Oniguruma (its Ruby syntax over Unicode text), in which
 * tokenizer.json is written, to that of {@link java.util.regex.Pattern}.
 *
 * <p>The two look alike and differ where it hurts: {@code \s}, {@code \d} and {@code \w} are ASCII in Java and Unicode
 * here; {@code \h} is a hexadecimal digit here and a blank in Java; {@code ^} and {@code $} are always about lines;
 * {@code .} excludes only the newline; {@code x{1,3}+} repeats the repetition instead of being possessive;
 * {@code a(?i)b|c} is {@code a(?i:b|c)}. Case is ignored by simple folding, one character for one; in a class of letters
 * with i that takes in the two i of Turkish, which Oniguruma leaves out.
 *
 * <p>Refused, because no tokenizer was seen to need them: backreferences, {@code \G}, {@code \K}, {@code \R},
 * {@code \X}, absent operators, conditions, the extended layout.
 *
 * <p>Source: the document RE of Oniguruma 6.9, and the behaviour of the Hugging Face library that calls it.
 */
final class OnigurumaSyntax {
    /** Deeper nesting than any tokenizer has; it bounds the recursion here and in Java's compiler. */
    private static final int MAX_DEPTH = 64;

    /** The largest repetition that Oniguruma takes. */
    private static final int MAX_REPEAT = 100_000;

    /**
     * Matches nothing, always. A supplementary character in its text is what makes Java look behind by characters and
     * not by halves of surrogate pairs.
     */
    private static final String WHOLE_CHARACTERS = "(?:(?!\uDBFF\uDFFF)|)";

    private static final String[] PLAIN_OPENINGS = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!"};

    private final String in;
    private final StringBuilder out = new StringBuilder();
    private int pos;

    private OnigurumaSyntax(String in) {
        this.in = in;
    }

    /**
     * @param pattern in Oniguruma's syntax
     * @return the same for {@link java.util.regex.Pattern#compile(String)} without flags
     * @throws TokenizerDefectException if it is malformed or uses what is not supported
     */
    static String toJava(String pattern) {
        OnigurumaSyntax syntax = new OnigurumaSyntax(pattern);
        syntax.alternatives(0, new Options(false, false));
        if (syntax.pos < pattern.length()) {
            throw new TokenizerDefectException("unmatched )");
        }
        return syntax.out.toString();
    }

    private record Options(boolean ignoreCase, boolean dotAll) {}

    /** Everything up to the end of the group or of the pattern. */
    private void alternatives(int depth, Options options) {
        if (depth > MAX_DEPTH) {
            throw new TokenizerDefectException("nested too deep");
        }
        int atom = -1;
        boolean repeated = false;
        while (pos < in.length() && in.charAt(pos) != ')') {
            if (in.charAt(pos) == '|') {
                pos++;
                out.append('|');
                atom = -1;
            } else if (atQuantifier()) {
                if (atom < 0) {
                    throw new TokenizerDefectException("nothing to repeat");
                }
                if (repeated) {
                    out.insert(atom, "(?:").append(')');
                }
                quantifier();
                repeated = true;
            } else {
                atom = out.length();
                repeated = false;
                atom(depth, options);
            }
        }
    }

    private void atom(int depth, Options options) {
        switch (in.charAt(pos)) {
            case '(' -> group(depth, options);
            case '[' -> {
                pos++;
                characterClass(depth);
            }
            case '\\' -> escape(options);
            case '.' -> replace(options.dotAll ? "(?s:.)" : "[^\\n]");
            case '^' -> replace("(?:\\A|(?<=\\n)(?!\\z))");
            case '$' -> replace("(?=\\n|\\z)");
            default -> literal(nextCodePoint(), options);
        }
    }

    private void replace(String translation) {
        pos++;
        out.append(translation);
    }

    private void group(int depth, Options options) {
        if (!in.startsWith("(?", pos)) {
            pos++;
            enclosed("(?:", depth, options);
            return;
        }
        if (in.startsWith("(?#", pos)) {
            pos = indexAfter(')');
            out.append("(?:)");
            return;
        }
        for (String opening : PLAIN_OPENINGS) {
            if (in.startsWith(opening, pos)) {
                pos += opening.length();
                enclosed(opening, depth, options);
                return;
            }
        }
        if (in.startsWith("(?<", pos)) {
            // A name is only good for backreferences.
            pos = indexAfter('>');
            enclosed("(?:", depth, options);
            return;
        }
        optionGroup(depth, options);
    }

    /** {@code (?im-im:...)}, or {@code (?im-im)} for the rest of the enclosing group. */
    private void optionGroup(int depth, Options outer) {
        boolean ignoreCase = outer.ignoreCase;
        boolean dotAll = outer.dotAll;
        boolean on = true;
        for (pos += 2; pos < in.length(); pos++) {
            switch (in.charAt(pos)) {
                case '-' -> on = false;
                case 'i' -> ignoreCase = on;
                case 'm' -> dotAll = on;
                case ':' -> {
                    pos++;
                    enclosed(ignoreCase ? "(?iu:" : "(?-iu:", depth, new Options(ignoreCase, dotAll));
                    return;
                }
                case ')' -> {
                    pos++;
                    out.append(ignoreCase ? "(?iu:" : "(?-iu:");
                    alternatives(depth + 1, new Options(ignoreCase, dotAll));
                    out.append(')');
                    return;
                }
                default -> throw new TokenizerDefectException("group (?" + in.charAt(pos) + " is not supported");
            }
        }
        throw new TokenizerDefectException("unmatched (");
    }

    private void enclosed(String opening, int depth, Options options) {
        boolean behind = opening.startsWith("(?<");
        out.append(opening).append(behind ? "(?:" : "");
        alternatives(depth + 1, options);
        out.append(behind ? ")" + WHOLE_CHARACTERS : "");
        if (pos >= in.length()) {
            throw new TokenizerDefectException("unmatched (");
        }
        pos++;
        out.append(')');
    }

    private boolean atQuantifier() {
        return switch (in.charAt(pos)) {
            case '*', '+', '?' -> true;
            case '{' -> intervalEnd() > 0;
            default -> false;
        };
    }

    /** The index of the brace that ends a well-formed interval at {@code pos}, or -1 where the brace is a literal. */
    private int intervalEnd() {
        int end = in.indexOf('}', pos);
        return end > 0 && in.substring(pos, end + 1).matches("\\{(?:[0-9]+,?[0-9]*|,[0-9]+)}") ? end : -1;
    }

    private void quantifier() {
        if (in.charAt(pos) != '{') {
            out.append(in.charAt(pos++));
            if (pos < in.length() && (in.charAt(pos) == '?' || in.charAt(pos) == '+')) {
                out.append(in.charAt(pos++));
            }
            return;
        }
        int end = intervalEnd();
        String interval = in.substring(pos + 1, end);
        pos = end + 1;
        int comma = interval.indexOf(',');
        String least = comma < 0 ? interval : interval.substring(0, comma);
        String most = comma < 0 ? "" : interval.substring(comma + 1);
        int from = repeats(least.isEmpty() ? "0" : least);
        if (!most.isEmpty() && repeats(most) < from) {
            throw new TokenizerDefectException("{" + interval + "} is upside down");
        }
        out.append('{').append(from).append(comma < 0 ? "" : "," + most).append('}');
        // After {n} a ? makes it optional, and a + after any interval repeats it: both are quantifiers of their own.
        if (comma >= 0 && pos < in.length() && in.charAt(pos) == '?') {
            out.append(in.charAt(pos++));
        }
    }

    private static int repeats(String digits) {
        if (digits.length() > 6 || Integer.parseInt(digits) > MAX_REPEAT) {
            throw new TokenizerDefectException("repeats more than " + MAX_REPEAT + " times");
        }
        return Integer.parseInt(digits);
    }

    private void literal(int codePoint, Options options) {
        if (options.ignoreCase && (codePoint == 'i' || codePoint == 'I')) {
            // Java would also take the dotted capital and the dotless small i of Turkish.
            out.append("(?-i:[iI])");
        } else {
            appendCodePoint(codePoint);
        }
    }

    private void appendCodePoint(int codePoint) {
        if (codePoint < 128 && Character.isLetterOrDigit(codePoint)) {
            out.append((char) codePoint);
        } else {
            out.append("\\x{").append(Integer.toHexString(codePoint)).append('}');
        }
    }

    /** A backslash outside brackets. */
    private void escape(Options options) {
        int start = pos++;
        if (pos >= in.length()) {
            throw new TokenizerDefectException("ends with a backslash");
        }
        switch (in.charAt(pos)) {
            case 'A' -> replace("\\A");
            case 'z' -> replace("\\z");
            case 'Z' -> replace("(?=\\n?\\z)");
            case 'b' -> replace(boundary("(?!", "(?="));
            case 'B' -> replace(boundary("(?=", "(?!"));
            default -> {
                String members = classEscape(CharacterProperties.LONE_WORD);
                if (members != null) {
                    // Oniguruma does not fold the case of a property that stands alone.
                    out.append(options.ignoreCase ? "(?-i:[" : "[")
                            .append(members)
                            .append(options.ignoreCase ? "])" : "]");
                } else {
                    pos = start + 1;
                    literal(literalEscape(), options);
                }
            }
        }
    }

    private static String boundary(String afterWord, String afterOther) {
        String word = "[" + CharacterProperties.LONE_WORD + "]";
        return "(?:(?<=" + word + WHOLE_CHARACTERS + ")" + afterWord + word + ")|(?<!" + word + WHOLE_CHARACTERS + ")"
                + afterOther + word + "))";
    }

    /** The members of the class that the escape at {@code pos} (behind the backslash) means, or null if it means none. */
    private @Nullable String classEscape(String word) {
        char c = in.charAt(pos);
        String members = switch (c) {
            case 's', 'S' -> "\\p{IsWhite_Space}";
            case 'd', 'D' -> "\\p{Nd}";
            case 'w', 'W' -> word;
            case 'h', 'H' -> "0-9A-Fa-f";
            case 'p', 'P' -> "";
            default -> null;
        };
        if (members == null) {
            return null;
        }
        pos++;
        boolean negated = Character.isUpperCase(c);
        if (members.isEmpty()) {
            if (pos >= in.length() || in.charAt(pos) != '{') {
                throw new TokenizerDefectException("\\" + c + " without {");
            }
            String name = braced();
            negated ^= name.startsWith("^");
            members = CharacterProperties.named(name.startsWith("^") ? name.substring(1) : name);
        }
        return negated ? "[^" + members + "]" : members;
    }

    /** The character that the escape at {@code pos} (behind the backslash) stands for. */
    private int literalEscape() {
        int c = nextCodePoint();
        return switch (c) {
            case 't' -> '\t';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 'f' -> '\f';
            case 'v' -> 0x0B;
            case 'a' -> 0x07;
            case 'e' -> 0x1B;
            case 'x' -> hexadecimal(in.startsWith("{", pos) ? braced() : take(2));
            case 'u' -> hexadecimal(take(4));
            default -> {
                if (c < 128 && Character.isLetterOrDigit(c)) {
                    throw new TokenizerDefectException("\\" + (char) c + " is not supported");
                }
                yield c;
            }
        };
    }

    /** What stands between the braces at {@code pos}. */
    private String braced() {
        int start = pos + 1;
        pos = indexAfter('}');
        return in.substring(start, pos - 1);
    }

    private String take(int length) {
        if (pos + length > in.length()) {
            throw new TokenizerDefectException("escape cut short");
        }
        pos += length;
        return in.substring(pos - length, pos);
    }

    private static int hexadecimal(String digits) {
        if (!digits.matches("[0-9A-Fa-f]{1,6}") || !Character.isValidCodePoint(Integer.parseInt(digits, 16))) {
            throw new TokenizerDefectException("invalid code point " + digits);
        }
        return Integer.parseInt(digits, 16);
    }

    /** What stands between brackets, {@code pos} being behind the opening one. */
    private void characterClass(int depth) {
        if (depth > MAX_DEPTH) {
            throw new TokenizerDefectException("nested too deep");
        }
        boolean negated = in.startsWith("^", pos);
        pos += negated ? 1 : 0;
        // Each operand of && has brackets of its own, and so has a negated whole: no precedence is left to Java.
        out.append(negated ? "[^[[" : "[[");
        boolean empty = true;
        while (pos < in.length() && (empty || in.charAt(pos) != ']')) {
            if (!empty && in.startsWith("&&", pos)) {
                pos += 2;
                out.append("]&&[");
                empty = true;
            } else {
                member(depth);
                empty = false;
            }
        }
        if (pos >= in.length()) {
            throw new TokenizerDefectException("unmatched [");
        }
        pos++;
        out.append(negated ? "]]]" : "]]");
    }

    /** One member of a class: a nested class, a property, a character or a range. */
    private void member(int depth) {
        if (in.startsWith("[:", pos) && in.indexOf(":]", pos) > 0) {
            int end = in.indexOf(":]", pos);
            String name = in.substring(pos + 2, end);
            pos = end + 2;
            boolean negated = name.startsWith("^");
            String members = CharacterProperties.posix(negated ? name.substring(1) : name);
            out.append(negated ? "[^" + members + "]" : members);
            return;
        }
        if (in.charAt(pos) == '[') {
            pos++;
            characterClass(depth + 1);
            return;
        }
        if (in.charAt(pos) == '\\' && pos + 1 < in.length()) {
            pos++;
            String members = classEscape(CharacterProperties.WORD);
            if (members != null) {
                out.append(members);
                return;
            }
            pos--;
        }
        int from = classCharacter();
        appendCodePoint(from);
        if (pos + 1 < in.length() && in.charAt(pos) == '-' && in.charAt(pos + 1) != ']') {
            pos++;
            int to = classCharacter();
            if (to < from) {
                throw new TokenizerDefectException("range of characters is upside down");
            }
            out.append('-');
            appendCodePoint(to);
        }
    }

    private int classCharacter() {
        int c = nextCodePoint();
        if (c != '\\') {
            return c;
        }
        if (pos >= in.length()) {
            throw new TokenizerDefectException("ends with a backslash");
        }
        if (in.charAt(pos) == 'b') {
            pos++;
            return '\b';
        }
        return literalEscape();
    }

    private int nextCodePoint() {
        int c = in.codePointAt(pos);
        pos += Character.charCount(c);
        return c;
    }

    private int indexAfter(char end) {
        int index = in.indexOf(end, pos);
        if (index < 0) {
            throw new TokenizerDefectException("missing " + end);
        }
        return index + 1;
    }
}
