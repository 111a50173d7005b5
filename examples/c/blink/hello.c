/*
 * A Blink client without GLUT: a triangle that turns by itself, faster while a button is held.
 *
 * Registers: 0 is the angle's speed, which the program sets; 1 is what the redraw procedure computes.
 */
#include <blinkgl.h>

#include <stdio.h>

enum { SPEED = 0, ANGLE = 1 };

static BlinkId record_redraw(void)
{
    blinkBegin(BLINK_REDRAW);
    glClearColor(0.1f, 0.1f, 0.2f, 1.0f);
    glClear(GL_COLOR_BUFFER_BIT);
    blinkTimeMod(ANGLE, blinkConst(360.0));
    blinkMul(ANGLE, blinkReg(ANGLE), blinkReg(SPEED));
    glRotatef_r(blinkReg(ANGLE), blinkConst(0), blinkConst(0), blinkConst(1));
    glBegin(GL_TRIANGLES);
    glColor3f(1.0f, 0.2f, 0.2f);
    glVertex2f(-0.6f, -0.5f);
    glColor3f(0.2f, 1.0f, 0.2f);
    glVertex2f(0.6f, -0.5f);
    glColor3f(0.2f, 0.2f, 1.0f);
    glVertex2f(0.0f, 0.7f);
    glEnd();
    blinkRequestFrame();
    return blinkEnd();
}

int main(void)
{
    BlinkId redraw, registers, window;
    BlinkEvent event;

    if (!blinkConnect("hello"))
        return 1;
    redraw = record_redraw();
    registers = blinkCreateRegisters();
    blinkSetRegister(registers, SPEED, 30.0f);
    window = blinkCreateWindow("Hello from C", 300, 300);
    if (!blinkWindowProcedure(window, redraw) || !blinkWindowRegisters(window, registers) || !blinkCommit())
        return 1;

    while (blinkWaitEvent(-1.0, &event) >= 0) {
        switch (event.type) {
        case BLINK_EVENT_BUTTON:
            /* No commit: registers are shared with the procedure. */
            blinkSetRegister(registers, SPEED, event.pressed ? 240.0f : 30.0f);
            break;
        case BLINK_EVENT_KEY:
            if (event.pressed) {
                char title[32];
                sprintf(title, "Key %u", event.key);
                blinkWindowTitle(window, title);
                blinkCommit();
            }
            break;
        case BLINK_EVENT_CLOSE:
            blinkDisconnect();
            return 0;
        default:
            break;
        }
    }
    return 1;
}
