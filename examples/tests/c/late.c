/* OpenGL calls at the places where GLUT programs make them: each leaves its mark in the picture. */
#include <blinkglut.h>

#include <stdio.h>

static GLuint list, texture;
static int visible;

/* A square of the window's 3 x 3, with what is set. */
static void square(int column, int row)
{
    float x = -1.0f + column * (2.0f / 3.0f), y = -1.0f + row * (2.0f / 3.0f);
    glBegin(GL_QUADS);
    glTexCoord2f(0.0f, 0.0f);
    glVertex2f(x, y);
    glTexCoord2f(1.0f, 0.0f);
    glVertex2f(x + 2.0f / 3.0f, y);
    glTexCoord2f(1.0f, 1.0f);
    glVertex2f(x + 2.0f / 3.0f, y + 2.0f / 3.0f);
    glTexCoord2f(0.0f, 1.0f);
    glVertex2f(x, y + 2.0f / 3.0f);
    glEnd();
}

static void display(void)
{
    glClear(GL_COLOR_BUFFER_BIT);
    if (list == 0) {
        /* As many programs do: at the first picture. */
        list = glGenLists(1);
        glNewList(list, GL_COMPILE_AND_EXECUTE);
        glColor3f(1.0f, 0.0f, 0.0f);
        square(0, 0);
        glEndList();
    } else {
        glCallList(list);
    }
    glColor3f(0.0f, 1.0f, 0.0f);
    square(2, 0);
    glColor3f(1.0f, 1.0f, 1.0f);
    glEnable(GL_TEXTURE_2D);
    glBindTexture(GL_TEXTURE_2D, texture);
    square(0, 2);
    glDisable(GL_TEXTURE_2D);
    if (visible)
        square(2, 2);
    glutSwapBuffers();
}

static void reshape(int width, int height)
{
    glViewport(0, 0, width, height);
    /* Left in this mode: the next function begins in it, as in OpenGL, and not in Blink's modelview. */
    glMatrixMode(GL_PROJECTION);
    glLoadIdentity();
}

static void image(int value)
{
    static GLubyte texel[3] = {0, 0, 255};

    texel[0] = (GLubyte)value;
    glBindTexture(GL_TEXTURE_2D, texture);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGB, 1, 1, 0, GL_RGB, GL_UNSIGNED_BYTE, texel);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
}

static void keyboard(unsigned char key, int x, int y)
{
    (void)x;
    (void)y;
    if (key == 'b') {
        /* The background, outside of the display function. */
        glClearColor(0.0f, 1.0f, 1.0f, 1.0f);
    } else if (key == 't') {
        image(255);
    } else if (key == 'm') {
        GLint mode;
        glGetIntegerv(GL_MATRIX_MODE, &mode);
        printf("matrix mode %#x, size %d x %d\n", mode, glutGet(GLUT_WINDOW_WIDTH), glutGet(GLUT_WINDOW_HEIGHT));
        fflush(stdout);
    } else if (key == 'e') {
        glEnable(GL_LIGHTING);
        glRotatef(1.0f, 0.0f, 0.0f, 1.0f);
        glPopMatrix();
    }
    glutPostRedisplay();
}

static void timer(int value)
{
    visible = value;
    glutPostRedisplay();
}

int main(int argc, char **argv)
{
    glutInit(&argc, argv);
    glutInitWindowSize(90, 90);
    glutCreateWindow("Late");
    glGenTextures(1, &texture);
    image(0);
    glutDisplayFunc(display);
    glutReshapeFunc(reshape);
    glutKeyboardFunc(keyboard);
    glutTimerFunc(20, timer, 1);
    glutMainLoop();
    return 0;
}
