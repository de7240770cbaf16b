package org.pikv4j.loader.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pikv4j.loader.jinja.Token.Kind;

/**
 * Cuts a template into text and the tokens of its tags, with the white space around tags taken away: after a block
 * tag one newline ({@code trim_blocks}), before it the blanks of its line ({@code lstrip_blocks}), around a minus sign
 * everything.
 *
 * <p>Source: {@code jinja2/lexer.py}.
 */
final class Lexer {
    private static final Pattern RAW = Pattern.compile("\\{%[-+]?\\s*raw\\s*(-%}\\s*|%})");
    private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(\\+%}|-%}\\s*|%}\\n?)");
    private static final Pattern NAME = Pattern.compile("[\\p{L}_][\\p{L}\\p{M}\\p{Nd}_]*");
    private static final Pattern NUMBER = Pattern.compile("\\d(?:_?\\d)*(\\.\\d(?:_?\\d)*)?([eE][+-]?\\d+)?");
    private static final Pattern STRING = Pattern.compile(
            "'([^'\\\\]*+(?:\\\\.[^'\\\\]*+)*+)'|\"([^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+)\"", Pattern.DOTALL);
    private static final Pattern OPERATOR = Pattern.compile("//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}><=.:|,]");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int pos;
    private int line = 1;
    private int counted;
    /** Whether only taken-away text lies between here and the start of the line. */
    private boolean lineStarting = true;

    private Lexer(String source) {
        this.source = source;
    }

    /**
     * @param template a template
     * @return its tokens, the last one being the end
     */
    static List<Token> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        Lexer lexer = new Lexer(source.endsWith("\n") ? source.substring(0, source.length() - 1) : source);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (pos < source.length()) {
            int tag = nextTag();
            if (tag < 0) {
                add(Kind.DATA, source.substring(pos));
                pos = source.length();
                break;
            }
            char type = source.charAt(tag + 1);
            char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
            data(source.substring(pos, tag), sign, type != '{');
            pos = tag;
            Matcher raw = RAW.matcher(source).region(tag, source.length());
            if (type == '%' && raw.lookingAt()) {
                raw(raw.end());
            } else {
                pos = tag + (sign == '-' || sign == '+' ? 3 : 2);
                switch (type) {
                    case '#' -> comment();
                    case '%' -> tag(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
                    default -> tag(Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
                }
            }
        }
        add(Kind.END, "");
    }

    private int nextTag() {
        for (int at = source.indexOf('{', pos); at >= 0 && at + 1 < source.length(); at = source.indexOf('{', at + 1)) {
            if ("{%#".indexOf(source.charAt(at + 1)) >= 0) {
                return at;
            }
        }
        return -1;
    }

    private void data(String text, char sign, boolean block) {
        String kept = text;
        if (sign == '-') {
            kept = PythonText.stripTrailing(text);
        } else if (block && sign != '+') {
            int start = text.lastIndexOf('\n') + 1;
            if ((start > 0 || lineStarting)
                    && PythonText.stripTrailing(text.substring(start)).isEmpty()) {
                kept = text.substring(0, start);
            }
        }
        if (!kept.isEmpty()) {
            add(Kind.DATA, kept);
        }
    }

    private void raw(int start) {
        Matcher end = END_RAW.matcher(source).region(start, source.length());
        if (!end.find()) {
            throw fail("missing endraw");
        }
        lineStarting = false;
        data(
                source.substring(start, end.start()),
                end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0),
                true);
        advance(end.end());
    }

    private void comment() {
        int end = source.indexOf("#}", pos);
        if (end < 0) {
            throw fail("missing #}");
        }
        char sign = end > pos ? source.charAt(end - 1) : ' ';
        advance(afterTag(end + 2, sign, true));
    }

    /** The index behind what a tag's end takes away. */
    private int afterTag(int end, char sign, boolean block) {
        int after = end;
        if (sign == '-') {
            while (after < source.length() && PythonText.isSpace(source.charAt(after))) {
                after++;
            }
        } else if (block && sign != '+' && source.startsWith("\n", after)) {
            after++;
        }
        return after;
    }

    private void advance(int to) {
        lineStarting = to > 0 && source.charAt(to - 1) == '\n';
        pos = to;
    }

    private void tag(Kind begin, Kind end, String closing) {
        add(begin, "");
        Deque<Character> open = new ArrayDeque<>();
        while (true) {
            while (pos < source.length() && PythonText.isSpace(source.charAt(pos))) {
                pos++;
            }
            if (pos >= source.length()) {
                throw fail("missing " + closing);
            }
            char sign = source.charAt(pos);
            int closed = source.startsWith(closing, pos) ? 0 : source.startsWith(closing, pos + 1) ? 1 : -1;
            if (open.isEmpty()
                    && (closed == 0 || closed == 1 && (sign == '-' || sign == '+' && end == Kind.BLOCK_END))) {
                add(end, "");
                advance(afterTag(pos + closed + 2, closed == 0 ? ' ' : sign, end == Kind.BLOCK_END));
                return;
            }
            token(open);
        }
    }

    private void token(Deque<Character> open) {
        int start = pos;
        if (skip(NAME)) {
            add(Kind.NAME, source.substring(start, pos));
        } else if (skip(NUMBER)) {
            String digits = source.substring(start, pos).replace("_", "");
            add(digits.chars().allMatch(Character::isDigit) ? Kind.INTEGER : Kind.FLOAT, digits);
        } else if (skip(STRING)) {
            add(Kind.STRING, StringLiterals.value(source.substring(start + 1, pos - 1)));
        } else if (skip(OPERATOR)) {
            balance(source.charAt(start), open);
            add(Kind.OPERATOR, source.substring(start, pos));
        } else {
            throw fail("unexpected " + Character.toString(source.codePointAt(pos)));
        }
    }

    private void balance(char operator, Deque<Character> open) {
        switch (operator) {
            case '(' -> open.push(')');
            case '[' -> open.push(']');
            case '{' -> open.push('}');
            case ')', ']', '}' -> {
                if (open.isEmpty() || open.pop() != operator) {
                    throw fail("unexpected " + operator);
                }
            }
            default -> {}
        }
    }

    private boolean skip(Pattern pattern) {
        Matcher matcher = pattern.matcher(source).region(pos, source.length());
        boolean found = matcher.lookingAt();
        pos = found ? matcher.end() : pos;
        return found;
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, lineOf(pos)));
    }

    private int lineOf(int index) {
        for (; counted < index; counted++) {
            if (source.charAt(counted) == '\n') {
                line++;
            }
        }
        return line;
    }

    private TemplateException fail(String message) {
        return new TemplateException(message).at(lineOf(pos));
    }
}
