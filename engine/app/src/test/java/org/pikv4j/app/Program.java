package org.pikv4j.app;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.pikv4j.cli.Cli;
import picocli.CommandLine;

/**
 * One run of the command line inside the test's process.
 *
 * @param code its exit code
 * @param out what it wrote to stdout
 * @param err what it wrote to stderr
 */
record Program(int code, String out, String err) {

    static Program run(String... args) {
        return runWithInput(new byte[0], args);
    }

    static Program runWithInput(String stdin, String... args) {
        return runWithInput(stdin.getBytes(StandardCharsets.UTF_8), args);
    }

    static Program runWithInput(byte[] stdin, String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commandLine = Cli.commandLine(new Main());
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        InputStream before = System.in;
        System.setIn(new ByteArrayInputStream(stdin));
        try {
            int code = commandLine.execute(args);
            return new Program(code, out.toString(), err.toString());
        } finally {
            System.setIn(before);
        }
    }

    /** A tiny checkpoint of the loader's tests. */
    static Path fixture(String name) {
        return Path.of("../../model-loader/src/test/resources/fixtures").resolve(name);
    }
}
