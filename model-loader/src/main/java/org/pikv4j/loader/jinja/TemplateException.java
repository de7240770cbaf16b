package org.pikv4j.loader.jinja;

/** A template is malformed, fails at rendering, or refuses its input by {@code raise_exception}. One line. */
public final class TemplateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TemplateException(String message) {
        super(message);
    }

    /**
     * @param line where in the template
     * @return this with the line in front of the message; the innermost place counts, so ask only once
     */
    TemplateException at(int line) {
        TemplateException located = new TemplateException("line " + line + ": " + getMessage());
        located.initCause(this);
        return located;
    }
}
