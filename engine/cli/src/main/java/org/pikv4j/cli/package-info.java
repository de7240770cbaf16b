/**
 * What the command lines of the app and of bench share: {@link org.pikv4j.cli.Cli} runs one, the mixins declare its options,
 * the rest is how it talks to people and programs.
 */
@NullMarked
package org.pikv4j.cli;

import org.jspecify.annotations.NullMarked;
