package org.pikv4j.loader.jinja;

import java.util.List;
import java.util.Map;

/** A template, parsed once and rendered any number of times, by many threads if they like. */
public final class Template {
    /** Longer than any known template, by far. */
    private static final int LONGEST = 1_000_000;

    private final List<Statement> statements;

    private Template(List<Statement> statements) {
        this.statements = statements;
    }

    /**
     * @param source the template
     * @return it, parsed
     * @throws TemplateException if it is malformed or uses what is not supported
     */
    public static Template parse(String source) {
        if (source.length() > LONGEST) {
            throw new TemplateException("longer than " + LONGEST + " characters");
        }
        try {
            return new Template(TemplateParser.parse(source));
        } catch (StackOverflowError e) {
            // The parser recurses as deep as the template nests, and nothing else is on this stack.
            throw new TemplateException("nested too deep");
        }
    }

    /**
     * @param variables what the template sees, by name
     * @return the text it writes
     * @throws TemplateException if it fails, takes too long or writes too much
     */
    public String render(Map<String, Value> variables) {
        try {
            return Renderer.render(statements, variables);
        } catch (StackOverflowError e) {
            // Macros that call themselves, and values nested by a loop: both end here.
            throw new TemplateException("recurses too deep");
        }
    }
}
