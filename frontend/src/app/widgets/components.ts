/** The components by the names of their types. */

import type { ComponentType } from 'react'

import { Basic } from './Basic'
import { Box } from './Box'
import { Button } from './Button'
import { Caption } from './Caption'
import { Card } from './Card'
import { Col } from './Col'
import type { ComponentProps } from './Component'
import { Divider } from './Divider'
import { Markdown } from './Markdown'
import { Row } from './Row'
import { Spacer } from './Spacer'
import { Text } from './Text'
import { Title } from './Title'

export const components: Readonly<Record<string, ComponentType<ComponentProps>>> = {
  Basic,
  Box,
  Button,
  Caption,
  Card,
  Col,
  Divider,
  Markdown,
  Row,
  Spacer,
  Text,
  Title,
}
